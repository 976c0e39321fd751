// The copies of data files that a backup names: what each is of, where it lies, and the list of them in the store.
//
// A copy lies in data/<key>/<path in the lake>, <key> being the key's name in public or "plain", so files that were
// sealed with another key are other copies. It is written once and shared by the backups that name it. The list is
// base/<id>/data-files, a JSON object a line, compressed and sealed as the rest. One thread. Errors: those of
// objects.hpp.
#pragma once

#include <map>
#include <optional>
#include <string>

#include "backup/manifest.hpp"
#include "backup/objects.hpp"
#include "backup/store.hpp"

namespace boathouse::backup {

inline constexpr const char* kDataDirectory = "data";

struct DataCopy {
    std::string name{};  // in the store
    Digest digest{};     // of the file's bytes
};

// By the file's path below the lake's data path.
using DataCopies = std::map<std::string, DataCopy>;

// "main/sales/x.parquet" of "/srv/lake/main/sales/x.parquet" and "/srv/lake/"; nothing where the file lies elsewhere:
// such a one, registered by somebody who may write to the catalog, is not the lake's own, and is not copied.
std::optional<std::string> path_in_lake(const std::string& path, const std::string& data_path);

// The directory of the copies that are sealed with a key ("" for none), and the name of a file's in it.
std::string copies_directory(const std::string& key_id);
std::string copy_name(const std::string& path, const std::string& key_id);

// How large the copy is in the store.
long long stored_bytes(const DataCopy& copy, const std::string& key_id);

Result<Stored> write_copies(const Store& store, const std::string& directory, const Secret& key,
                            const DataCopies& copies);
// Of a backup that has some. Errors: corrupt, permission (the key).
Result<DataCopies> read_copies(const Store& store, const Manifest& manifest, const Secret& key);

}  // namespace boathouse::backup
