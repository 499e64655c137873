# Exactly the plan that was agreed to; Terraform refuses it when the state has moved on.
export ARM_USE_OIDC=true ARM_OIDC_TOKEN="$IDENTITY_TOKEN"
cd "$MODULE_PATH"
terraform init -backend-config="environments/$ENVIRONMENT.backend.hcl"
terraform apply "plans/$ENVIRONMENT.tfplan"
