// What the keeper remembers, in the schema "keeper" of the box's own database: policies, tags, whether it is paused,
// what it is asked to do and what it has done.
//
// Commands and the keeper meet here and nowhere else: it works the same for a box with an external catalog, for several
// boxes on one catalog (whichever holds the keeper's lock reads the wish), and while the engine is being restarted.
// Free functions on a connection to the box's database as the engine's role; blocking. Errors: those of Connection.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/error.hpp"
#include "catalog/connection.hpp"

namespace boathouse::keeper {

// Creates what is missing; several boxes may do so at once.
Status prepare_journal(catalog::Connection& box);

// What people want of the keeper.
struct Wishes {
    bool paused = false;
    long long runs_wanted = 0;  // `keeper run` raises it …
    long long runs_done = 0;    // … and waits until this has reached it
};
Result<Wishes> read_wishes(catalog::Connection& box);
Status set_paused(catalog::Connection& box, bool paused);
Result<long long> wish_run(catalog::Connection& box);  // the number that runs_done has to reach
Status set_runs_done(catalog::Connection& box, long long number);

// What the keeper is at, for who watches. `left`: steps that the plan still holds.
struct Activity {
    std::string text{};  // empty: nothing
    long long done = 0;
    long long left = 0;
};
Status set_activity(catalog::Connection& box, const Activity& activity);
Result<Activity> read_activity(catalog::Connection& box);

// One step that was taken.
struct Run {
    long long id = 0;
    std::string started_at{};  // as PostgreSQL prints it
    double seconds = 0;
    std::string job{}, schema{}, table{}, why{};
    std::string outcome{};  // done, gave way, failed
    long long files_before = 0, files_after = 0;
    long long bytes_before = 0, bytes_after = 0;
    long long rows = 0;
    std::string error{};
};
// Keeps the newest 10,000. `started_at_unix`: by the keeper's clock.
Status record_run(catalog::Connection& box, const Run& run, double started_at_unix);
// The newest first.
Result<std::vector<Run>> read_runs(catalog::Connection& box, int count_max);
// When each job last succeeded, in seconds since 1970.
Result<std::vector<std::pair<std::string, double>>> read_last_successes(catalog::Connection& box);

// When orphans were last looked for, or the journal was made, in seconds since 1970: a young lake has none.
Result<double> read_orphans_looked_for(catalog::Connection& box);

// Snapshots that stay, by a name of people's.
struct Tag {
    std::string name{};
    long long snapshot = 0;
    std::string created_at{};
};
// Errors: conflict (the name is taken), configuration (it is empty).
Status create_tag(catalog::Connection& box, const std::string& name, long long snapshot);
// Errors: not_found.
Status drop_tag(catalog::Connection& box, const std::string& name);
Result<std::vector<Tag>> read_tags(catalog::Connection& box);

// Snapshots that somebody wants to stay.
struct Kept {
    std::vector<Tag> tags{};
    std::optional<long long> unread_from{};  // the first that a consumer of changes (src/feed) has yet to read
};
Result<Kept> read_kept(catalog::Connection& box);

}  // namespace boathouse::keeper
