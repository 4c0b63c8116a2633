-- How Argo CD sees a SomaMemory: for `resource.customizations.health.somatechlat.github.io_SomaMemory` in argocd-cm.
-- What the operator has not looked at since the last change is on its way; what needs a person is degraded, whatever
-- Ready says; what a person has stopped is suspended.
local resting = {Paused = true, Hibernated = true}
local health = {status = "Progressing", message = "The operator has not seen it yet."}

if obj.metadata.deletionTimestamp ~= nil then
  health.message = "It is being deleted."
  return health
end
if obj.status == nil or obj.status.conditions == nil then
  return health
end
local found = {}
for _, condition in ipairs(obj.status.conditions) do
  found[condition.type] = condition
end
local ready, stalled = found.Ready, found.Stalled
if ready == nil or ready.observedGeneration ~= obj.metadata.generation then
  health.message = "The operator has not seen the last change yet."
  return health
end

health.message = ready.message
if stalled ~= nil and stalled.status == "True" then
  health.status = "Degraded"
  health.message = stalled.message
elseif ready.status == "True" then
  health.status = "Healthy"
elseif resting[ready.reason] then
  health.status = "Suspended"
end
return health
