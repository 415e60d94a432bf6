/** Express 4, installed beside Express 5 under this name; what the tests use of both is the same. */
declare module 'express4' {
  export { default } from 'express'
}
