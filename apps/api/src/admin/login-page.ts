import { page } from './page.ts';

/** Writes the page that asks for the admin password; `fault` must be a text of ours. */
export function loginPage(fault?: string): string {
  return page(
    'Log in',
    `<form method="post" action="/admin/login">
  <h1>Accepted: operations</h1>
  ${fault === undefined ? '' : `<p role="alert">${fault}</p>`}
  <label>Password <input type="password" name="password" autocomplete="current-password" required autofocus></label>
  <button>Log in</button>
</form>`,
  );
}

/** Writes the page that asks whether to log out: a link must not be able to do it. */
export function logoutPage(): string {
  return page(
    'Log out',
    `<form method="post" action="/admin/logout">
  <h1>Accepted: operations</h1>
  <button>Log out</button>
</form>`,
  );
}
