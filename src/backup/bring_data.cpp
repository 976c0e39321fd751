#include "backup/bring_data.hpp"

#include "backup/sealed.hpp"
#include "base/log.hpp"

namespace boathouse::backup {
namespace {

// Of a source that ends early or was changed on its way, nothing is to be taken.
bool concerns_one_file(const Error& error) {
    return error.kind == ErrorKind::corrupt || error.kind == ErrorKind::not_found;
}

constexpr const char* kMove[] = {
    "UPDATE public.ducklake_schema SET path = $2 || pg_catalog.substr(path, pg_catalog.length($1) + 1) "
    "WHERE NOT path_is_relative AND pg_catalog.starts_with(path, $1)",
    "UPDATE public.ducklake_table SET path = $2 || pg_catalog.substr(path, pg_catalog.length($1) + 1) "
    "WHERE NOT path_is_relative AND pg_catalog.starts_with(path, $1)",
    "UPDATE public.ducklake_data_file SET path = $2 || pg_catalog.substr(path, pg_catalog.length($1) + 1) "
    "WHERE NOT path_is_relative AND pg_catalog.starts_with(path, $1)",
    "UPDATE public.ducklake_delete_file SET path = $2 || pg_catalog.substr(path, pg_catalog.length($1) + 1) "
    "WHERE NOT path_is_relative AND pg_catalog.starts_with(path, $1)",
    "UPDATE public.ducklake_metadata SET value = $2 WHERE key = 'data_path' AND scope IS NULL AND value = $1",
};

}  // namespace

Result<std::unique_ptr<DataBringer>> DataBringer::open(const BringOptions& options) {
    auto destination = make_lake_store(options.destination, options.settings);
    if (!destination) return destination.error();
    const auto there = (*destination)->list_all("");
    if (!there) return there.error();
    if (!there->empty()) {
        return Error{ErrorKind::conflict,
                     options.destination + " is not empty, and a restore overwrites nothing: " + there->front().name +
                         " is there",
                     "Name another place for the data files with --data-into.", ""};
    }
    std::unique_ptr<DataBringer> bringer(new DataBringer(options, std::move(*destination)));
    if (auto read = bringer->read_lists(); !read) return read.error();
    return bringer;
}

DataBringer::~DataBringer() {
    for (const std::string& path : brought_) (void)destination_->remove(path);
}

// The backup's own list first; a file's copy in another one is as good.
Status DataBringer::read_lists() {
    const auto add = [this](const Manifest& manifest) -> Status {
        auto copies = read_copies(options_.store, manifest, options_.settings.backup_key);
        if (!copies) return copies.error();
        copies_.merge(*copies);
        return {};
    };
    if (options_.backup.data) {
        if (auto added = add(options_.backup); !added) return added;
    }
    const std::string key = key_id(options_.settings.backup_key);
    for (const Manifest& manifest : options_.backups) {
        if (!manifest.data || manifest.key_id != key || manifest.id == options_.backup.id) continue;
        if (auto added = add(manifest); !added) return added;
    }
    return {};
}

Result<std::string> DataBringer::write_file(Source& source, const DataFile& file, const std::string& path,
                                            const std::string& sha256) {
    auto sink = destination_->create(path);
    if (!sink) return sink.error();
    DigestSink digest(std::move(*sink));
    if (const auto copied = copy(source, digest); !copied) return copied.error();
    if (digest.bytes() != file.bytes) return fmt::format("{} bytes instead of {}", digest.bytes(), file.bytes);
    auto finished = digest.finish();
    if (!finished) return finished.error();
    brought_.push_back(path);
    if (sha256.empty() || digest.sha256() == sha256) return std::string();
    brought_.pop_back();
    if (auto removed = destination_->remove(path); !removed) return removed.error();
    return std::string("its bytes are not those that were copied");
}

Result<std::string> DataBringer::bring_file(const DataFile& file, const std::string& path) {
    std::string fault = "no backup has a copy of it";
    if (const auto found = copies_.find(path); found != copies_.end()) {
        const DataCopy& copy = found->second;
        auto source = open_copy(options_.store, copy.name, options_.settings.backup_key);
        auto written =
            source ? write_file(**source, file, path, copy.digest.sha256) : Result<std::string>(source.error());
        if (written && written->empty()) return written;
        if (!written && !concerns_one_file(written.error())) return written;
        fault = "the copy " + options_.store.path(copy.name) + ": " + (written ? *written : written.error().message);
    }
    auto source = lake_.read(file.path);
    if (!source) return fault + "; and where the lake had it: " + source.error().message;
    auto written = write_file(**source, file, path, "");
    if (written && written->empty()) return written;
    if (!written && !concerns_one_file(written.error())) return written;
    return fault + "; and where the lake had it: " + (written ? *written : written.error().message);
}

Result<FileFindings> DataBringer::bring(const std::vector<DataFile>& files, const std::string& data_path) {
    FileFindings findings;
    std::vector<DataFile> elsewhere;
    for (const DataFile& file : files) {
        const auto path = path_in_lake(file.path, data_path);
        if (!path) {
            elsewhere.push_back(file);
            continue;
        }
        auto fault = bring_file(file, *path);
        if (!fault) return fault.error();
        note(file, *fault, findings);
    }
    elsewhere_ = static_cast<long long>(elsewhere.size());
    for (const DataFile& file : elsewhere) {
        const auto fault = look_for(file, options_.settings);
        if (!fault) return fault.error();
        note(file, *fault, findings);
    }
    return findings;
}

Status move_lake(catalog::Connection& lake, const std::string& data_path, const std::string& destination) {
    for (const char* statement : kMove) {
        const auto moved = lake.query(statement, {data_path, destination});
        if (!moved) return moved.error();
    }
    return lake.execute("DELETE FROM public.ducklake_files_scheduled_for_deletion");
}

}  // namespace boathouse::backup
