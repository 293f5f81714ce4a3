// Starts the components of the pages. Everything works without this file, except recording sound.
import { initAll } from "./vendor/govuk-frontend.min.js";

document.body.classList.add("js-enabled", "govuk-frontend-supported");
initAll();

// A form that is shown again after it was refused says so to those who do not see it.
const summary = document.querySelector(".govuk-error-summary");
if (summary) summary.focus();
