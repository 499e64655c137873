# [[ generated ]]
tenant      = "[[ inputs.tenant ]]"
environment = "[[ each ]]"
location    = "[[ inputs.location ]]"
