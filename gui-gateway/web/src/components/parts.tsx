// What stands beside a component's fields, by its category and class: each a tab.
import type { Component, Rights } from "../lib/components";
import type { ComponentClass, Model } from "../lib/model";
import type { Tab } from "../ui/tabs";
import { Attachments, slotsOf } from "./attachments";
import { Contents } from "./contents";
import type { Draft } from "./draft";
import { Facts } from "./facts";
import { Files } from "./files";
import { Versions } from "./versions";
import { VirtualContents } from "./virtual";

export interface PartsProps {
    model: Model;
    ofClass: ComponentClass;
    rights: Rights;
    component: Component | null; /* null: a new one */
    draft: Draft;
    readonly: boolean;
    held: boolean; /* by somebody else */
    change: (next: Partial<Draft>) => void;
    onChanged: (component: Component) => void;
}

function files({ ofClass, rights, component, draft, readonly, change }: PartsProps): Tab | null {
    const may = !readonly && (!component || rights.has("UPDATE_CONTENT"));
    if (ofClass.category !== "DOCUMENT" || ofClass.collaborative)
        return null;
    return {
        name: "files", text: "Files", count: draft.files.length,
        body: () => <Files documentId={component?.id ?? ""} files={draft.files} readonly={!may} onChange={(next) => change({ files: next })} />,
    };
}

function contents({ model, ofClass, rights, component, held, onChanged }: PartsProps): Tab | null {
    if (!component || ofClass.category !== "FOLDER")
        return null;
    return {
        name: "contents", text: "Contents", count: component.children?.length ?? 0,
        body: () => <Contents model={model} ofClass={ofClass} component={component} rights={rights} readonly={held} onChanged={onChanged} />,
    };
}

function found({ model, ofClass, component }: PartsProps): Tab | null {
    if (!component || ofClass.category !== "VIRTUAL_FOLDER")
        return null;
    return { name: "contents", text: "Contents", body: () => <VirtualContents model={model} component={component} /> };
}

function attachments({ model, ofClass, rights, component, draft, readonly, change }: PartsProps): Tab | null {
    const may = (right: string) => !readonly && !component?.answer && (!component || rights.has(right));
    if (ofClass.category !== "TASK" || slotsOf(ofClass).length === 0)
        return null;
    return {
        name: "attachments", text: "Attachments", count: draft.attachments.reduce((n, one) => n + (one.componentIds?.length ?? 0), 0),
        body: () => (
            <Attachments
                model={model}
                ofClass={ofClass}
                attachments={draft.attachments}
                may={{ add: may("UPDATE_CONTENT"), remove: may("DELETE_CONTENT") }}
                onChange={(next) => change({ attachments: next })}
            />
        ),
    };
}

function versions({ ofClass, rights, component, readonly, onChanged }: PartsProps): Tab | null {
    const may = rights.has("UPDATE_CONTENT");
    if (!component || ofClass.category !== "DOCUMENT" || (ofClass.versioningMode ?? "NONE") === "NONE")
        return null;
    return {
        name: "versions", text: "Versions",
        body: () => <Versions component={component} may={{ keep: may, revert: may && !readonly }} onChanged={onChanged} />,
    };
}

function history({ model, rights, component }: PartsProps): Tab | null {
    if (!component || !rights.has("READ_HISTORY"))
        return null;
    return { name: "history", text: "History", body: () => <Facts model={model} component={component} /> };
}

export const tabsOf = (props: PartsProps): Tab[] => [contents, found, attachments, files, versions, history].map((part) => part(props)).filter((tab) => tab !== null);
