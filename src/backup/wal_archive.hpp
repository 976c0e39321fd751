// PostgreSQL's log of changes (WAL), kept piece by piece in wal/ of the store as PostgreSQL finishes each.
//
// PostgreSQL's archiver runs `boathouse backup archive-wal` for a piece, again and again until that succeeds, and keeps
// the piece until then; its recovery runs `boathouse backup fetch-wal`. A piece is a file of 16 MB whose name is its
// timeline, and its number in two parts (XLogFileName in PostgreSQL's xlog_internal.h). Blocking; a process each.
#pragma once

#include <string>
#include <vector>

#include "backup/store.hpp"
#include "base/error.hpp"
#include "base/secret.hpp"

namespace boathouse::backup {

inline constexpr const char* kWalDirectory = "wal";

// Keeps a copy. One that is there already and is the same is a success: PostgreSQL asks again where it did not hear
// the answer. Errors: conflict (there is another one of that name), limit, permission.
Status archive_wal(const Store& store, const std::string& file, const Secret& key);

// Brings one back to `destination`. Errors: not_found (it is not there, which a recovery takes for the end), corrupt,
// permission (the key).
Status fetch_wal(const Store& store, const std::string& name, const std::string& destination, const Secret& key);

// The pieces that are there, by name, the endings for compression and sealing taken off; without what is no piece.
Result<std::vector<std::string>> read_wal_names(const Store& store);

// "000000010000000000000003", 24 hexadecimal digits.
bool is_wal_name(const std::string& name);
// The one after it on the same timeline.
std::string next_wal_name(const std::string& name);
// The first piece from `from` on that is missing though later ones of its timeline are there; empty: none.
std::string first_gap(const std::vector<std::string>& names, const std::string& from);
// Whether a piece comes before another one, whatever their timelines.
bool is_earlier_wal(const std::string& a, const std::string& b);

}  // namespace boathouse::backup
