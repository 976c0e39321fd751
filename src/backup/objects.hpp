// A file of a backup as it lies in the store: compressed, and sealed where there is a key. Its name says both:
// base.tar.gz, or base.tar.gz.sealed. A copy of a data file is not compressed, as Parquet is that already.
//
// One thread a chain. Errors: those of bytes.hpp, sealed.hpp and store.hpp.
#pragma once

#include <memory>
#include <string>

#include "backup/bytes.hpp"
#include "backup/store.hpp"
#include "base/secret.hpp"

namespace boathouse::backup {

// What was stored, of a sink that has been finished.
struct Stored {
    std::string name{};
    Digest digest{};
};

// Writes `source` as `name` (without the endings for compression and sealing); it counts once this has returned.
Result<Stored> store_object(const Store& store, const std::string& name, const Secret& key, Source& source);

// Under which name it lies there; empty where it does not.
Result<std::string> stored_name(const Store& store, const std::string& name);

// The bytes as they were, of a stored name.
Result<std::unique_ptr<Source>> open_object(const Store& store, const std::string& stored_name, const Secret& key);

// A file as it is, but for the seal: `name` is the whole name, and the digest that of the bytes before they are sealed.
Result<Digest> store_copy(const Store& store, const std::string& name, const Secret& key, Source& source);
Result<std::unique_ptr<Source>> open_copy(const Store& store, const std::string& name, const Secret& key);

}  // namespace boathouse::backup
