// The file of a COPY in Parquet, which cannot be read before its end nor written without going back: it lies in
// DuckDB's spill directory, under copy/, as long as the COPY runs.
//
// A CopyFile belongs to one COPY and one thread, and removes its file. open_copy_directory() is called once a database,
// before DuckDB's file access is shut: the directory is the one place outside the lake where DuckDB may read and write,
// and no client's statement can name files at all (guard.hpp). Throws what DuckDB throws (no space left).
//
// Private to src/engine/.
#pragma once

#include <duckdb.hpp>
#include <string>
#include <string_view>

namespace boathouse::engine {

// Makes the directory anew; its path.
std::string open_copy_directory(duckdb::DatabaseInstance& database);

class CopyFile {
  public:
    explicit CopyFile(duckdb::DatabaseInstance& database);
    ~CopyFile();
    CopyFile(const CopyFile&) = delete;
    CopyFile& operator=(const CopyFile&) = delete;

    const std::string& path() const { return path_; }

    void append(std::string_view bytes);
    // No more is appended.
    void close();
    // Up to `count` bytes from the front on; 0 at the end.
    std::size_t read(char* to, std::size_t count);

  private:
    duckdb::FileSystem& files_;
    const std::string path_;
    duckdb::unique_ptr<duckdb::FileHandle> writing_;
    duckdb::unique_ptr<duckdb::FileHandle> reading_;
};

}  // namespace boathouse::engine
