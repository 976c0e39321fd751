#include "backup/wal_archive.hpp"

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <filesystem>
#include <set>

#include "backup/local_file.hpp"
#include "backup/objects.hpp"
#include "base/log.hpp"

namespace boathouse::backup {
namespace {

constexpr std::size_t kNameDigits = 24;
constexpr std::size_t kTimelineDigits = 8;
constexpr std::uint32_t kPiecesALog = 256;  // of 16 MB in 4 GB

std::string place_of(const std::string& name) {
    return std::string(kWalDirectory) + "/" + name;
}

std::uint32_t part(const std::string& name, std::size_t index) {
    std::uint32_t number = 0;
    const char* begin = name.data() + index * kTimelineDigits;
    std::from_chars(begin, begin + kTimelineDigits, number, 16);
    return number;
}

Status compare(const Store& store, const std::string& stored, const std::string& file, const Secret& key) {
    auto old_source = open_object(store, stored, key);
    if (!old_source) return old_source.error();
    auto new_source = read_local_file(file);
    if (!new_source) return new_source.error();
    const auto before = digest_of(**old_source);
    if (!before) return before.error();
    const auto now = digest_of(**new_source);
    if (!now) return now.error();
    if (*before == *now) return {};
    return Error{ErrorKind::conflict, store.path(stored) + " is another piece of PostgreSQL's log than " + file,
                 "Two boxes must not share a directory of backups: name another with --backup-to.", ""};
}

}  // namespace

Status archive_wal(const Store& store, const std::string& file, const Secret& key) {
    const std::string name = place_of(std::filesystem::path(file).filename().string());
    const auto stored = stored_name(store, name);
    if (!stored) return stored.error();
    if (!stored->empty()) return compare(store, *stored, file, key);
    auto source = read_local_file(file);
    if (!source) return source.error();
    const auto kept = store_object(store, name, key, **source);
    if (!kept) return kept.error();
    return {};
}

Status fetch_wal(const Store& store, const std::string& name, const std::string& destination, const Secret& key) {
    const auto stored = stored_name(store, place_of(name));
    if (!stored) return stored.error();
    if (stored->empty()) return Error{ErrorKind::not_found, name + " is not in " + store.path(kWalDirectory), "", ""};
    auto source = open_object(store, *stored, key);
    if (!source) return source.error();
    auto sink = create_local_file(destination, Existing::replaced);
    if (!sink) return sink.error();
    if (const auto copied = copy(**source, **sink); !copied) return copied.error();
    return (*sink)->finish();
}

bool is_wal_name(const std::string& name) {
    return name.size() == kNameDigits && name.find_first_not_of("0123456789ABCDEF") == std::string::npos;
}

Result<std::vector<std::string>> read_wal_names(const Store& store) {
    const auto entries = store.list(kWalDirectory);
    if (!entries) return entries.error();
    std::vector<std::string> names;
    for (const Entry& entry : *entries) {
        const std::string name = entry.name.substr(0, entry.name.find('.'));
        if (is_wal_name(name) && (names.empty() || names.back() != name)) names.push_back(name);
    }
    return names;
}

std::string next_wal_name(const std::string& name) {
    std::uint32_t log = part(name, 1);
    std::uint32_t piece = part(name, 2) + 1;
    if (piece == kPiecesALog) {
        piece = 0;
        ++log;
    }
    return fmt::format("{:08X}{:08X}{:08X}", part(name, 0), log, piece);
}

std::string first_gap(const std::vector<std::string>& names, const std::string& from) {
    const std::set<std::string> there(names.begin(), names.end());
    const std::string timeline = from.substr(0, kTimelineDigits);
    const auto beyond = [&](const std::string& name) { return name.starts_with(timeline) && name > from; };
    const auto last = std::find_if(names.rbegin(), names.rend(), beyond);
    if (last == names.rend()) return "";
    std::string name = from;
    while (there.contains(name) && name != *last) name = next_wal_name(name);
    return there.contains(name) ? "" : name;
}

bool is_earlier_wal(const std::string& a, const std::string& b) {
    return a.substr(kTimelineDigits) < b.substr(kTimelineDigits);
}

}  // namespace boathouse::backup
