"""`kubectl soma`: what people do with a SomaMemory, by kubectl and with the rights of whoever types it."""
