#include "backup/prune.hpp"

#include <algorithm>
#include <map>
#include <set>

#include "backup/box.hpp"
#include "backup/data_copies.hpp"
#include "backup/objects.hpp"
#include "backup/sealed.hpp"
#include "backup/wal_archive.hpp"

namespace boathouse::backup {
namespace {

// Pieces of the log from before the oldest backup lead nowhere.
Result<long long> prune_wal(const Store& store, const std::vector<Manifest>& manifests) {
    const auto names = read_wal_names(store);
    if (!names) return names.error();
    long long removed = 0;
    for (const std::string& name : *names) {
        if (manifests.empty() || !is_earlier_wal(name, manifests.front().wal_first)) continue;
        const auto stored = stored_name(store, std::string(kWalDirectory) + "/" + name);
        if (!stored) return stored.error();
        if (auto gone = store.remove(*stored); !gone) return gone.error();
        ++removed;
    }
    return removed;
}

// The names of all copies that backups with this key need.
Result<std::set<std::string>> needed_copies(const Store& store, const std::vector<const Manifest*>& manifests,
                                            const Secret& key) {
    std::set<std::string> names;
    for (const Manifest* manifest : manifests) {
        const auto copies = read_copies(store, *manifest, key);
        if (!copies) return copies.error();
        for (const auto& [path, copy] : *copies) names.insert(copy.name);
    }
    return names;
}

Result<long long> prune_data(const Store& store, const std::vector<Manifest>& manifests, const Secret& key) {
    std::map<std::string, std::vector<const Manifest*>> keepers;  // by the directory that their copies are in
    for (const Manifest& manifest : manifests) {
        if (manifest.data) keepers[copies_directory(manifest.key_id)].push_back(&manifest);
    }
    const auto directories = store.list(kDataDirectory);
    if (!directories) return directories.error();
    long long removed = 0;
    for (const Entry& entry : *directories) {
        const std::string directory = std::string(kDataDirectory) + "/" + entry.name;
        const bool is_readable = directory == copies_directory("") || directory == copies_directory(key_id(key));
        if (!is_readable && keepers.contains(directory)) continue;
        const auto needed = needed_copies(store, keepers[directory], key);
        if (!needed) return needed.error();
        const auto copies = store.list_all(directory);
        if (!copies) return copies.error();
        for (const Entry& copy : *copies) {
            const std::string name = directory + "/" + copy.name;
            if (needed->contains(name)) continue;
            if (auto gone = store.remove(name); !gone) return gone.error();
            ++removed;
        }
    }
    return removed;
}

}  // namespace

std::vector<std::string> superseded(const std::vector<Manifest>& manifests, double oldest_moment_unix) {
    std::vector<std::string> ids;
    for (std::size_t i = 0; i + 1 < manifests.size(); ++i) {
        if (manifests[i + 1].finished_unix > oldest_moment_unix) break;
        ids.push_back(manifests[i].id);
    }
    return ids;
}

Result<Pruned> prune(const config::Settings& settings, double oldest_moment_unix) {
    const auto lock = BackupLock::acquire(settings);
    if (!lock) return lock.error();
    const auto opened = open_store(settings);
    if (!opened) return opened.error();
    const Store& store = **opened;
    const auto box = box_identity(settings);
    if (!box) return box.error();
    if (auto claimed = claim_store(store, *box); !claimed) return claimed.error();
    if (auto cleared = remove_halves(store); !cleared) return cleared.error();
    const auto manifests = read_manifests(store);
    if (!manifests) return manifests.error();
    Pruned pruned;
    pruned.backups = superseded(*manifests, oldest_moment_unix);
    pruned.kept = static_cast<long long>(manifests->size() - pruned.backups.size());
    for (const std::string& id : pruned.backups) {
        if (auto unlisted = store.remove(manifest_name(id)); !unlisted) return unlisted.error();
        if (auto removed = store.remove(base_directory(id)); !removed) return removed.error();
    }
    const auto left = read_manifests(store);
    if (!left) return left.error();
    const auto pieces = prune_wal(store, *left);
    if (!pieces) return pieces.error();
    pruned.wal_pieces = *pieces;
    const auto copies = prune_data(store, *left, settings.backup_key);
    if (!copies) return copies.error();
    pruned.data_files = *copies;
    return pruned;
}

}  // namespace boathouse::backup
