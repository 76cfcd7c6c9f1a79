// Before the first paint: dark, light, or as the system has it. A module would wait for the page.
document.documentElement.dataset.theme = localStorage.getItem("magpie.theme") ?? "system";
