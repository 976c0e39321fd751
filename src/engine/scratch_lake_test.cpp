#include "engine/scratch_lake.hpp"

#include "base/install_layout.hpp"
#include "catalog/bootstrap.hpp"
#include "catalog/box_database.hpp"
#include "engine/session.hpp"

namespace boathouse::engine {

config::Settings small_box(config::Settings settings) {
    settings.extension_dir = extension_directory().value().string();
    settings.memory_limit_mb = 1024;
    settings.threads = 2;
    settings.data_path = settings.data_dir + "/lake/";
    settings.lake_compression = "zstd";
    settings.lake_target_file_size_mb = 512;
    settings.lake_row_group_rows = 122'880;
    settings.lake_inlining_rows = 10;
    return settings;
}

ScratchLake::ScratchLake() : settings(small_box(postgres.settings())) {
    catalog::prepare_server(settings).value();
    lake = Lake::open(settings, catalog::lake_endpoint(settings).value()).value();
    catalog::tune_catalog(settings).value();
    catalog::prepare_box_database(settings).value();
    Session::admit_clients(*lake).value();
}

}  // namespace boathouse::engine
