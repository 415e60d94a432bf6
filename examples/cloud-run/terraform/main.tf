locals {
  # What search puts into its tokens. It is chosen here, so it is known before the first deployment and
  # stays the same in another region.
  # https://cloud.google.com/run/docs/configuring/custom-audiences
  user_profiles_audience = "https://user-profiles.${var.project}.internal"
}

# Each service has an account of its own: the account is what a list of callers names.
resource "google_service_account" "search" {
  account_id   = "search"
  display_name = "search on Cloud Run"
}

resource "google_service_account" "signup" {
  account_id   = "signup"
  display_name = "the job that writes profiles"
}

resource "google_service_account" "user_profiles" {
  account_id   = "user-profiles"
  display_name = "user-profiles on Cloud Run"
}

resource "google_cloud_run_v2_service" "user_profiles" {
  name     = "user-profiles"
  location = var.region

  # With INGRESS_TRAFFIC_INTERNAL_ONLY, search must send its calls through a VPC network.
  # https://cloud.google.com/run/docs/securing/ingress
  ingress = "INGRESS_TRAFFIC_ALL"

  # The IAM check is on: who has no roles/run.invoker does not reach the container.
  invoker_iam_disabled = false
  custom_audiences     = [local.user_profiles_audience]

  template {
    service_account = google_service_account.user_profiles.email

    containers {
      image = var.user_profiles_image

      env {
        name  = "GOOGLE_CLOUD_PROJECT"
        value = var.project
      }
      env {
        name  = "AUDIENCE"
        value = local.user_profiles_audience
      }

      startup_probe {
        http_get {
          path = "/health"
        }
      }
    }
  }
}

# The members of the role, and no others: Terraform removes whom it does not find here.
resource "google_cloud_run_v2_service_iam_binding" "user_profiles_invokers" {
  project  = google_cloud_run_v2_service.user_profiles.project
  location = google_cloud_run_v2_service.user_profiles.location
  name     = google_cloud_run_v2_service.user_profiles.name
  role     = "roles/run.invoker"
  members = [
    "serviceAccount:${google_service_account.search.email}",
    "serviceAccount:${google_service_account.signup.email}",
  ]
}

resource "google_cloud_run_v2_service" "search" {
  name     = "search"
  location = var.region
  ingress  = "INGRESS_TRAFFIC_ALL"

  # A public site: its visitors have no token.
  invoker_iam_disabled = true

  template {
    service_account = google_service_account.search.email

    containers {
      image = var.search_image

      env {
        name  = "GOOGLE_CLOUD_PROJECT"
        value = var.project
      }
      env {
        name  = "USER_PROFILES_URL"
        value = google_cloud_run_v2_service.user_profiles.uri
      }
      env {
        name  = "USER_PROFILES_AUDIENCE"
        value = local.user_profiles_audience
      }

      startup_probe {
        http_get {
          path = "/health"
        }
      }
    }
  }
}
