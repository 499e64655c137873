# Signed in by the run's own token: no key of the cloud is kept anywhere.
export ARM_USE_OIDC=true ARM_OIDC_TOKEN="$IDENTITY_TOKEN"
cd "$MODULE_PATH"
mkdir -p plans
terraform init -backend-config="environments/$ENVIRONMENT.backend.hcl"
terraform plan -var-file="environments/$ENVIRONMENT.tfvars" -var="trace_id=$traceId" -out="plans/$ENVIRONMENT.tfplan"
terraform show -no-color "plans/$ENVIRONMENT.tfplan" > "plans/$ENVIRONMENT.txt"
