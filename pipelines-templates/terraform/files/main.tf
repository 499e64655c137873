# [[ generated ]]
locals {
  name = "${var.tenant}-${var.environment}"

  tags = {
    tenantId    = var.tenant
    environment = var.environment
    moduleId    = "[[ inputs.module ]]"
    traceId     = var.trace_id
  }
}

resource "azurerm_resource_group" "this" {
  name     = "${local.name}-[[ inputs.module ]]"
  location = var.location
  tags     = local.tags
}
