# [[ generated ]]
resource_group_name  = "[[ inputs.tenant ]]-state"
storage_account_name = "[[ inputs.tenant ]]state"
container_name       = "[[ each ]]"
key                  = "[[ inputs.module ]].tfstate"
