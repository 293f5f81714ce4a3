// Asks the browser to make or to use a passkey, and sends its answer as a field of the page's form.
// The options and the answer are as WebAuthn level 3, section 5.1 writes them in JSON; older browsers do not do it themselves.

const octets = (text) =>
  Uint8Array.from(atob(text.replaceAll("-", "+").replaceAll("_", "/")), (each) => each.charCodeAt(0));

const encoded = (buffer) =>
  btoa(String.fromCharCode(...new Uint8Array(buffer))).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");

const known = (list) => (list ?? []).map((each) => ({ ...each, id: octets(each.id) }));

const creation = (options) => ({
  ...options,
  challenge: octets(options.challenge),
  user: { ...options.user, id: octets(options.user.id) },
  excludeCredentials: known(options.excludeCredentials),
});

const request = (options) => ({
  ...options,
  challenge: octets(options.challenge),
  allowCredentials: known(options.allowCredentials),
});

const answer = (credential) => {
  const response = {};
  for (const name of ["clientDataJSON", "attestationObject", "authenticatorData", "signature", "userHandle"])
    if (credential.response[name]) response[name] = encoded(credential.response[name]);
  if (credential.response.getTransports) response.transports = credential.response.getTransports();
  return JSON.stringify({
    id: credential.id,
    rawId: encoded(credential.rawId),
    type: credential.type,
    clientExtensionResults: credential.getClientExtensionResults(),
    response,
  });
};

const start = (form) => {
  const say = form.querySelector("[data-passkey-says]");
  let isAsking = false;
  form.addEventListener("submit", async (event) => {
    if (form.elements.passkey.value) return;
    event.preventDefault();
    if (isAsking) return;
    isAsking = true;
    say.textContent = "";
    try {
      const options = JSON.parse(form.dataset.options);
      const credential =
        form.dataset.passkey === "create"
          ? await navigator.credentials.create({ publicKey: creation(options) })
          : await navigator.credentials.get({ publicKey: request(options) });
      form.elements.passkey.value = answer(credential);
      form.requestSubmit();
    } catch {
      // Whether it was cancelled, took too long or there is no passkey, browsers do not tell.
      say.textContent = form.dataset.failed;
    } finally {
      isAsking = false;
    }
  });
  form.hidden = false;
};

// Coming back to the page by the back button finds an answer that was used: it is asked for anew.
window.addEventListener("pageshow", (event) => {
  if (event.persisted) window.location.reload();
});

for (const form of document.querySelectorAll("form[data-passkey]"))
  if (window.PublicKeyCredential) start(form);
  else document.querySelector("[data-passkey-none]").hidden = false;
