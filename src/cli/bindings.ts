import { quoted } from './quoted.ts'

/** A service on Cloud Run. The names are checked: they have no characters that need quoting. */
export interface Service {
  readonly service: string
  readonly region: string
  readonly project: string
}

/** One command of gcloud for each member. */
export function gcloudCommands(
  { service, region, project }: Service,
  members: readonly string[],
): string[] {
  return members.map(
    (member) =>
      `gcloud run services add-iam-policy-binding ${service} --region=${region} --project=${project} --role=roles/run.invoker --member=${shellQuoted(member)}`,
  )
}

/** A word of a POSIX shell. */
export function shellQuoted(text: string): string {
  return /^[\w@%+:,./=-]+$/.test(text) ? text : `'${text.replaceAll("'", String.raw`'\''`)}'`
}

/** One resource for all members, which leaves other bindings alone. */
export function terraformResource(
  { service, region, project }: Service,
  members: readonly string[],
): string[] {
  return [
    `resource "google_cloud_run_v2_service_iam_member" "${service}_invokers" {`,
    '  for_each = toset([',
    ...members.map((member) => `    ${hclQuoted(member)},`),
    '  ])',
    `  project  = "${project}"`,
    `  location = "${region}"`,
    `  name     = "${service}"`,
    '  role     = "roles/run.invoker"',
    '  member   = each.value',
    '}',
  ]
}

/** A string of HCL, in which `${` and `%{` would begin a template. */
function hclQuoted(text: string): string {
  return quoted(text).replace(/[$%](?=\{)/g, '$&$&')
}
