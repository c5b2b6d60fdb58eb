// An address that leads nowhere.
import { paths } from "../lib/router";
import { Link } from "../ui/link";
import { Mark } from "../ui/umbel";

export function LostPage({ title = "There is nothing here", text = "The address is wrong, or what it named is gone." }) {
    return (
        <main id="content" class="notice" tabIndex={-1}>
            <Mark />
            <h1>{title}</h1>
            <p>{text}</p>
            <Link class="button primary" href={paths.list}>All documents</Link>
        </main>
    );
}

export function RefusedPage() {
    return <LostPage title="For administrators" text="This part of Umbel needs the role ADMIN. Ask somebody who administers Umbel." />;
}
