# [[ generated ]]
variable "tenant" {
  description = "Names of resources begin with it."
  type        = string

  validation {
    condition     = can(regex("^[a-z][a-z0-9]{0,11}$", var.tenant))
    error_message = "A tenant is up to 12 small letters and digits."
  }
}

variable "environment" {
  description = "Environment that is made."
  type        = string
}

variable "location" {
  description = "Region of the cloud."
  type        = string
}

variable "trace_id" {
  description = "Trace that asked for it."
  type        = string
  default     = ""
}
