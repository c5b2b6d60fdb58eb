// The head of a component's page: where one is, what state it is in, what can be done with all of it.
import type { ComponentChildren } from "preact";
import type { Hold } from "./use-hold";
import type { ComponentClass } from "../lib/model";
import { called } from "../lib/names";
import { paths } from "../lib/router";
import { ago } from "../lib/time";
import { Icon } from "../ui/icons";
import { Link } from "../ui/link";

export function Held({ hold }: { hold: Hold }) {
    if (hold.mine)
        return <span class="badge own" data-testid="held-mine"><Icon name="lock" /> Reserved by you</span>;
    if (!hold.holder)
        return null;
    return (
        <span class="badge" role="status" data-testid="held">
            <Icon name="lock" /> <span>{hold.holder} has reserved it{hold.since && <span class="wide-only"> · {ago(hold.since)}</span>}</span>
        </span>
    );
}

export function Head({ ofClass, title, badges, actions }: {
    ofClass: ComponentClass;
    title: string;
    badges: ComponentChildren;
    actions: ComponentChildren;
}) {
    return (
        <div class="paper-head">
            <p class="crumbs">
                <Link href={paths.library}>Library</Link> / <Link href={paths.libraryOf(ofClass.category, ofClass.id)}>{called(ofClass.displayNames, ofClass.id)}</Link>
            </p>
            <h1 class="paper-title">{title}</h1>
            <div class="badges">{badges}</div>
            <div class="head-actions">{actions}</div>
        </div>
    );
}
