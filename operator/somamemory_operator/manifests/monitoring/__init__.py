"""What Prometheus is told: what to scrape and what to warn of."""
