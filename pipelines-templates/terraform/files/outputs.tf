# [[ generated ]]
output "resource_group" {
  description = "Group that everything lies in."
  value       = azurerm_resource_group.this.name
}
