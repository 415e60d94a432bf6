/** Who may have tokens of which service account: everyone, until it is denied. */
import { acceptNames } from '../../options/invalid-option.ts'
import { acceptEmail } from './service-accounts.ts'

/** The service accounts whose tokens are denied, as if a role were not granted. */
export class TokenCreation {
  #denials: { readonly email: string; readonly member: string | undefined }[] = []

  /**
   * Denies the tokens of an account.
   *
   * @param options - `member`: to this one alone, as IAM spells it (`serviceAccount:EMAIL`)
   * @returns allows them again
   */
  deny(email: string, options: { readonly member?: string | undefined } = {}): () => void {
    acceptNames('options', options, ['member'])
    const denial = { email: acceptEmail('email', email), member: options.member }
    this.#denials.push(denial)
    return () => {
      this.#denials = this.#denials.filter((one) => one !== denial)
    }
  }

  /** Whether this one may not have tokens of the account. */
  isDenied(email: string, member: string): boolean {
    return this.#denials.some(
      (denial) =>
        denial.email === email && (denial.member === undefined || denial.member === member),
    )
  }
}
