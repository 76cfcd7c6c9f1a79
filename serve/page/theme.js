// Before the first paint: dark, light, or as the system has it. It is no module, since modules wait for the page.
document.documentElement.dataset.theme = localStorage.getItem("magpie.theme") ?? "system";
