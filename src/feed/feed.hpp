// What the doors share to tell of changes: connections to the lake's and the box's databases, and the watch.
//
// One a box, made before the doors and let go after them. Any thread.
#pragma once

#include <memory>

#include "feed/shared_connection.hpp"
#include "feed/snapshot_watch.hpp"

namespace boathouse::feed {

struct Feed {
    // `box_database` is null where the box has no database of its own: then there are no consumers.
    Feed(catalog::Endpoint lake_database, std::unique_ptr<SharedConnection> box_database, SnapshotWatch::Newest newest)
        : lake(std::move(lake_database)), box(std::move(box_database)), watch(std::move(newest), lake) {}

    SharedConnection lake;
    const std::unique_ptr<SharedConnection> box;
    SnapshotWatch watch;
};

}  // namespace boathouse::feed
