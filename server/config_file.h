#ifndef MSAB_CONFIG_FILE_H_
#define MSAB_CONFIG_FILE_H_

#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "server/config_settings.h"

namespace msab {

// A TOML file's values with their whole keys ("ws.listen", "custom_events[0].name"), in the order
// of the file's parser. An empty table is there itself, so that an unknown one is noticed.
using FileValues = std::vector<std::pair<std::string, Written>>;

// NOT_FOUND: the file can't be read. INVALID_ARGUMENT: it is not TOML; the message has the line.
absl::StatusOr<FileValues> ReadConfigFile(const std::string& path);

}  // namespace msab

#endif  // MSAB_CONFIG_FILE_H_
