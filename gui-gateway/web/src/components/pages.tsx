// The pages of the library: search, one component, a new one, a version of one.
import type { LibraryRoute } from "../lib/library-bundle";
import type { Session } from "../lib/session";
import { LibraryPage } from "./library";
import { ComponentPage, NewPage } from "./page";
import { VersionPage } from "./version";

export function LibraryPages({ session, at }: { session: Session; at: LibraryRoute }) {
    if (at.page === "library")
        return <LibraryPage session={session} asked={at.search} />;
    if (at.page === "new")
        return <NewPage key={`${at.category}/${at.classId}`} session={session} category={at.category} classId={at.classId} />;
    if (at.version)
        return <VersionPage key={`${at.id}/${at.version}`} session={session} id={at.id} version={at.version} />;
    return <ComponentPage key={`${at.category}/${at.id}`} session={session} category={at.category} id={at.id} />;
}
