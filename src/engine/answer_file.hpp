// The answer to a statement as a file of the engine's own, complete before anybody reads it: what the HTTP door sends.
//
// Made by Session::run_to_file(); owned by whoever sends it, and removed with its last owner. Plain data, any thread.
#pragma once

#include <memory>
#include <string>

namespace boathouse::engine {

enum class FileFormat { parquet, csv, json, ndjson, arrow };

struct AnswerFile {
    std::string path;             // empty: the statement returns no rows
    std::string tag;              // then: "INSERT 0 1", "CREATE TABLE"
    std::shared_ptr<void> keeps;  // the file; shared, as it is sent by another thread than made it
};

}  // namespace boathouse::engine
