// The versions of a document: kept under a label, opened, gone back to.
import { useEffect, useState } from "preact/hooks";
import { messageOf } from "../lib/told";
import { type Component, isoOf } from "../lib/components";
import { documentVersions, LABEL_MOST, type Version } from "../lib/past";
import { paths } from "../lib/router";
import { ago, exactly } from "../lib/time";
import { confirmDialog, promptDialog } from "../ui/dialog";
import { Icon } from "../ui/icons";
import { Link } from "../ui/link";
import { notify, notifyError } from "../ui/toast";

export const labelOf = (version: Version) => version.versionLabel || "Without a label";

/** True: it is the version again. */
export async function goBack(version: Version, onChanged: (component: Component) => void): Promise<boolean> {
    const at = isoOf(version.versionDate);
    if (!await confirmDialog({
        title: `Go back to “${labelOf(version)}”?`, confirm: "Go back",
        body: `Name, fields and files become what they were on ${exactly(at)}. What it is now stays in the history; keep it as a version first if you need it.`,
    }))
        return false;
    try {
        onChanged(await documentVersions.revert(version.id, version.currentVersion));
        notify(`It is “${labelOf(version)}” again.`);
        return true;
    } catch (error) {
        notifyError(`Not done: ${messageOf(error)}`);
        return false;
    }
}

export function Versions({ component, may, onChanged }: {
    component: Component;
    may: { keep: boolean; revert: boolean };
    onChanged: (component: Component) => void;
}) {
    const [list, setList] = useState<Version[] | null>(null);
    const [problem, setProblem] = useState("");

    useEffect(() => {
        const control = new AbortController();
        documentVersions.list(component.id, control.signal).then(setList, (error: unknown) => !control.signal.aborted && setProblem(messageOf(error)));
        return () => control.abort();
    }, [component.id, component.data.version]);

    async function keep(): Promise<void> {
        const label = await promptDialog({
            title: "Keep this version", confirm: "Keep", input: { label: "Label", value: "", max: LABEL_MOST, optional: true },
            body: "The document as it is saved now, with its files.",
        });
        if (label === null)
            return;
        try {
            onChanged(await documentVersions.keep(component.id, label));
            notify("Kept.");
        } catch (error) {
            notifyError(`Not kept: ${messageOf(error)}`);
        }
    }

    return (
        <div class="versions" data-testid="versions">
            {may.keep && (
                <button type="button" class="button" data-testid="version-keep" onClick={() => void keep()}><Icon name="bookmark" /> Keep this version</button>
            )}
            {problem && <p class="problem" role="alert">{problem}</p>}
            {list?.length === 0 && <p class="faint">No version has been kept yet.</p>}
            <ol class="rows">
                {list?.map((version) => {
                    const at = isoOf(version.versionDate);
                    return (
                        <li key={version.currentVersion} class="row" data-testid="version">
                            <Link class="row-main" href={paths.component(component.category, component.id, version.currentVersion)} data-testid="version-open">
                                <span class="row-title">{labelOf(version)}</span>
                                <span class="row-about">
                                    <span title={exactly(at)}>{ago(at)}</span>{version.versionAuthor && ` · ${version.versionAuthor}`}
                                </span>
                            </Link>
                            {may.revert && (
                                <button type="button" class="button small" data-testid="version-revert" onClick={() => void goBack(version, onChanged)}>
                                    Go back to it
                                </button>
                            )}
                        </li>
                    );
                })}
            </ol>
        </div>
    );
}
