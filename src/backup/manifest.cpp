#include "backup/manifest.hpp"

#include <spdlog/fmt/chrono.h>

#include <boost/json.hpp>
#include <ctime>

namespace boathouse::backup {
namespace {

namespace json = boost::json;

constexpr int kFormat = 1;
constexpr const char* kOwnerFile = "boathouse-backups.json";
constexpr const char* kBase = "base";
constexpr const char* kManifest = "manifest.json";

std::tm utc(double unix_seconds) {
    const auto seconds = static_cast<std::time_t>(unix_seconds);
    std::tm parts{};
    ::gmtime_r(&seconds, &parts);
    return parts;
}

Error unreadable(const std::string& place, const std::string& why) {
    return {ErrorKind::corrupt, place + " is no manifest of a backup: " + why,
            "Take the file from another copy of the backup, or remove its directory.", ""};
}

Stored stored_from(const json::object& object) {
    return {std::string(object.at("name").as_string()),
            {object.at("bytes").to_number<long long>(), std::string(object.at("sha256").as_string())}};
}

json::object to_object(const Stored& stored) {
    return {{"name", stored.name}, {"bytes", stored.digest.bytes}, {"sha256", stored.digest.sha256}};
}

Manifest from_object(const json::object& object) {
    Manifest manifest;
    const auto text = [&object](const char* key) { return std::string(object.at(key).as_string()); };
    const auto number = [&object](const char* key) { return object.at(key).to_number<long long>(); };
    manifest.id = text("id");
    manifest.started_unix = object.at("started_unix").to_number<double>();
    manifest.finished_unix = object.at("finished_unix").to_number<double>();
    manifest.postgres_version = text("postgres_version");
    manifest.postgres_major = object.at("postgres_major").to_number<int>();
    manifest.postgres_user = text("postgres_user");
    manifest.postgres_db = text("postgres_db");
    manifest.snapshot_before = number("snapshot_before");
    manifest.snapshot_after = number("snapshot_after");
    manifest.wal_first = text("wal_first");
    manifest.wal_last = text("wal_last");
    manifest.data_path = text("data_path");
    manifest.key_id = text("key_id");
    manifest.catalog_bytes = number("catalog_bytes");
    manifest.base = stored_from(object.at("base").as_object());
    if (const auto* data = object.if_contains("data"); data != nullptr) {
        const auto& fields = data->as_object();
        manifest.data =
            ManifestData{fields.at("files").to_number<long long>(), fields.at("bytes").to_number<long long>(),
                         fields.at("new_bytes").to_number<long long>(), stored_from(fields.at("list").as_object())};
    }
    return manifest;
}

}  // namespace

std::string utc_text(double unix_seconds) {
    return fmt::format("{:%Y-%m-%dT%H:%M:%SZ}", utc(unix_seconds));
}

std::string id_of(double unix_seconds) {
    return fmt::format("{:%Y%m%dT%H%M%SZ}", utc(unix_seconds));
}

std::string base_directory(const std::string& id) {
    return std::string(kBase) + "/" + id;
}

std::string manifest_name(const std::string& id) {
    return base_directory(id) + "/" + kManifest;
}

std::string to_json(const Manifest& manifest) {
    json::object object{{"format", kFormat},
                        {"id", manifest.id},
                        {"started_unix", manifest.started_unix},
                        {"finished_unix", manifest.finished_unix},
                        {"postgres_version", manifest.postgres_version},
                        {"postgres_major", manifest.postgres_major},
                        {"postgres_user", manifest.postgres_user},
                        {"postgres_db", manifest.postgres_db},
                        {"snapshot_before", manifest.snapshot_before},
                        {"snapshot_after", manifest.snapshot_after},
                        {"wal_first", manifest.wal_first},
                        {"wal_last", manifest.wal_last},
                        {"data_path", manifest.data_path},
                        {"key_id", manifest.key_id},
                        {"catalog_bytes", manifest.catalog_bytes},
                        {"base", to_object(manifest.base)}};
    if (manifest.data) {
        object["data"] = json::object{{"files", manifest.data->files},
                                      {"bytes", manifest.data->bytes},
                                      {"new_bytes", manifest.data->new_bytes},
                                      {"list", to_object(manifest.data->list)}};
    }
    return json::serialize(object);
}

Result<Manifest> manifest_from_json(const std::string& text, const std::string& place) {
    boost::system::error_code malformed;
    const auto value = json::parse(text, malformed);
    if (malformed || !value.is_object()) return unreadable(place, "it is damaged");
    try {
        if (value.as_object().at("format").to_number<int>() != kFormat) {
            return unreadable(place, "its format is another Boathouse's");
        }
        return from_object(value.as_object());
    } catch (const std::exception&) {
        return unreadable(place, "a field is missing or of another type");
    }
}

Status remove_halves(const Store& store) {
    const auto entries = store.list(kBase);
    if (!entries) return entries.error();
    for (const Entry& entry : *entries) {
        const auto whole = store.has(manifest_name(entry.name));
        if (!whole) return whole.error();
        if (*whole) continue;
        if (auto removed = store.remove(base_directory(entry.name)); !removed) return removed;
    }
    return store.remove_unfinished(kBase);
}

Result<std::vector<Manifest>> read_manifests(const Store& store) {
    const auto entries = store.list(kBase);
    if (!entries) return entries.error();
    std::vector<Manifest> manifests;
    for (const Entry& entry : *entries) {
        const std::string name = manifest_name(entry.name);
        const auto whole = store.has(name);
        if (!whole) return whole.error();
        if (!entry.is_directory || !*whole) continue;
        const auto text = store.read_text(name);
        if (!text) return text.error();
        auto manifest = manifest_from_json(*text, store.path(name));
        if (!manifest) return manifest.error();
        manifests.push_back(std::move(*manifest));
    }
    return manifests;
}

Status claim_store(const Store& store, const std::string& box) {
    auto taken = store.has(kOwnerFile);
    if (!taken) return taken.error();
    if (!*taken) {
        auto claimed = store.write_text(kOwnerFile, json::serialize(json::object{{"format", kFormat}, {"box", box}}));
        if (claimed) return {};
        taken = store.has(kOwnerFile);  // else another process of a box's was first
        if (!taken || !*taken) return claimed;
    }
    const auto text = store.read_text(kOwnerFile);
    if (!text) return text.error();
    boost::system::error_code malformed;
    const auto value = json::parse(*text, malformed);
    const auto* object = malformed ? nullptr : value.if_object();
    const auto* owner = object == nullptr ? nullptr : object->if_contains("box");
    if (owner == nullptr || !owner->is_string()) return unreadable(store.path(kOwnerFile), "it is damaged");
    if (owner->as_string() == box) return {};
    return Error{ErrorKind::conflict, store.place() + " holds the backups of another box",
                 "Give this box a directory of its own with --backup-to; a restored box is another box.", ""};
}

}  // namespace boathouse::backup
