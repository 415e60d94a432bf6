variable "project" {
  description = "The id of the project of both services."
  type        = string
}

variable "region" {
  description = "Where both services run."
  type        = string
  default     = "europe-west1"
}

variable "search_image" {
  description = "The image of search, in Artifact Registry."
  type        = string
}

variable "user_profiles_image" {
  description = "The image of user-profiles, in Artifact Registry."
  type        = string
}

variable "notification_channels" {
  description = "Who gets the alert: projects/PROJECT/notificationChannels/ID."
  type        = list(string)
  default     = []
}
