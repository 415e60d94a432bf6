/** The names in the tests: two services of a shop that call a third, and a person. */
export const audience = 'https://user-profiles-abc123-uc.a.run.app'
export const login = 'login@shop-prod.iam.gserviceaccount.com'
export const search = 'search@shop-prod.iam.gserviceaccount.com'
export const ada = 'ada@example.com'
export const signup = 'signup@shop-prod.iam.gserviceaccount.com'
