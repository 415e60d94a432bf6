resource "google_logging_metric" "refusals" {
  name        = "user-profiles-refusals"
  description = "Calls that user-profiles has refused, by code. An instance logs at most eleven lines a minute of one code on one route."

  filter = <<-EOT
    resource.type="cloud_run_revision"
    resource.labels.service_name="user-profiles"
    severity=WARNING
    jsonPayload.code:"ID_TOKEN_"
    jsonPayload.enforced=true
  EOT

  metric_descriptor {
    metric_kind = "DELTA"
    value_type  = "INT64"
    unit        = "1"

    labels {
      key         = "code"
      value_type  = "STRING"
      description = "The code of the refusal."
    }
  }

  label_extractors = {
    code = "EXTRACT(jsonPayload.code)"
  }
}

resource "google_monitoring_alert_policy" "refusals" {
  display_name          = "user-profiles refuses calls"
  combiner              = "OR"
  notification_channels = var.notification_channels

  conditions {
    display_name = "a refused call"

    condition_threshold {
      filter          = "metric.type=\"logging.googleapis.com/user/${google_logging_metric.refusals.name}\" AND resource.type=\"cloud_run_revision\""
      comparison      = "COMPARISON_GT"
      threshold_value = 0
      duration        = "0s"

      aggregations {
        alignment_period     = "300s"
        per_series_aligner   = "ALIGN_DELTA"
        cross_series_reducer = "REDUCE_SUM"
        group_by_fields      = ["metric.label.code"]
      }
    }
  }

  alert_strategy {
    auto_close = "3600s"
  }

  documentation {
    mime_type = "text/markdown"
    content   = "user-profiles has refused a call that had passed the IAM check. Its log says why, and what to do: the field `detail.remedy`."
  }
}
