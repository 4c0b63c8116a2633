"""The pages at `/docs` and `/redoc`. Their programs come from a public server; without it a plain list is shown."""

from fastapi.openapi.docs import get_redoc_html, get_swagger_ui_html
from starlette.responses import HTMLResponse

# Shown when the browser could not load the page's own program, as where there is no way to the internet.
_FALLBACK = """\
<script>
window.addEventListener("load", async () => {
  if (window.SwaggerUIBundle || window.Redoc) return;
  const put = (parent, tag, text) => {
    const made = document.createElement(tag);
    made.textContent = text;
    parent.appendChild(made);
    return made;
  };
  const spec = await (await fetch("OPENAPI_URL")).json();
  document.body.replaceChildren();
  document.body.style = "font-family: sans-serif; max-width: 60em; margin: 2em auto";
  put(document.body, "h1", spec.info.title + " " + spec.info.version);
  put(document.body, "p", "The interactive page could not be loaded; this is the plain one.");
  for (const [path, operations] of Object.entries(spec.paths)) {
    for (const [method, operation] of Object.entries(operations)) {
      const details = put(document.body, "details", "");
      put(details, "summary", method.toUpperCase() + " " + path + " \\u2013 " + (operation.summary || ""));
      put(details, "p", operation.description || "");
      put(details, "pre", JSON.stringify({parameters: operation.parameters, requestBody: operation.requestBody,
        responses: operation.responses}, null, 2));
    }
  }
  put(document.body, "h2", "Schemas");
  put(document.body, "pre", JSON.stringify(spec.components.schemas, null, 2));
});
</script>
</body>
"""


def swagger_page(title: str, openapi_url: str) -> HTMLResponse:
    """Swagger UI, which remembers the token it was given."""
    settings = {"persistAuthorization": True, "tryItOutEnabled": True}
    page = get_swagger_ui_html(title=title, openapi_url=openapi_url, swagger_ui_parameters=settings)
    return _with_fallback(page, openapi_url)


def redoc_page(title: str, openapi_url: str) -> HTMLResponse:
    """ReDoc."""
    return _with_fallback(get_redoc_html(title=title, openapi_url=openapi_url, with_google_fonts=False), openapi_url)


def _with_fallback(page: HTMLResponse, openapi_url: str) -> HTMLResponse:
    text = bytes(page.body).decode()
    return HTMLResponse(text.replace("</body>", _FALLBACK.replace("OPENAPI_URL", openapi_url), 1))
