output "search_url" {
  description = "Where visitors find search."
  value       = google_cloud_run_v2_service.search.uri
}

output "user_profiles_url" {
  description = "Where search calls user-profiles."
  value       = google_cloud_run_v2_service.user_profiles.uri
}

output "user_profiles_audience" {
  description = "What a token for user-profiles must have as its audience."
  value       = local.user_profiles_audience
}
