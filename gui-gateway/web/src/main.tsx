// The entry: starts theme, router and session, then draws the page that the address names.
import "./styles/main.css";
import { render } from "preact";
import { App } from "./app";
import { startRouter } from "./lib/router";
import { startSession } from "./lib/session";
import { startTheme } from "./lib/theme";

startTheme();
startRouter();
void startSession();
render(<App />, document.getElementById("app")!);
