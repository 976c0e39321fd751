// What a backup says of itself, in base/<id>/manifest.json: written last, so a backup without one is none.
//
// An id is the moment at which it began, in UTC: 20261123T054205Z; ids sort by time. Plain data.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "backup/bytes.hpp"
#include "backup/objects.hpp"
#include "backup/store.hpp"
#include "base/error.hpp"

namespace boathouse::backup {

// The copies of the lake's data files that a backup names (data_copies.hpp).
struct ManifestData {
    long long files = 0;
    long long bytes = 0;      // before they are sealed
    long long new_bytes = 0;  // of those that this backup was the first to copy
    Stored list{};
};

struct Manifest {
    std::string id{};
    double started_unix = 0;
    double finished_unix = 0;  // from here on a moment can be restored from it; PostgreSQL's clock
    std::string postgres_version{};
    int postgres_major = 0;
    std::string postgres_user{};
    std::string postgres_db{};
    long long snapshot_before = 0;  // the lake's newest when it began: it holds this one and perhaps later ones
    long long snapshot_after = 0;   // the lake's newest when it had ended
    std::string wal_first{};        // the segment of PostgreSQL's log at which a recovery from it begins
    std::string wal_last{};         // the segment that it needs in any case; it brings both along
    std::string data_path{};        // where the lake's files are
    std::string key_id{};           // of sealed.hpp; empty: not encrypted
    long long catalog_bytes = 0;    // before compression
    Stored base{};
    std::optional<ManifestData> data{};  // nothing: the files are where the lake has them
};

std::string to_json(const Manifest& manifest);
// Errors: corrupt.
Result<Manifest> manifest_from_json(const std::string& json, const std::string& place);

// 2026-11-23T05:42:05Z, and the name of a backup that begins then.
std::string utc_text(double unix_seconds);
std::string id_of(double unix_seconds);

// Where a backup and its manifest lie.
std::string base_directory(const std::string& id);
std::string manifest_name(const std::string& id);

// What backups that failed have left, or were killed. While no other is being made.
Status remove_halves(const Store& store);

// All that are whole, the oldest first. Errors: corrupt (a manifest that cannot be read), permission.
Result<std::vector<Manifest>> read_manifests(const Store& store);

// Whose store it is: a box writes to its own alone, as two boxes' logs would not fit together. The first box that
// writes takes it. Errors: conflict.
Status claim_store(const Store& store, const std::string& box);

}  // namespace boathouse::backup
