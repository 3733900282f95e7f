#ifndef MSAB_DEMO_DEMO_FILES_H_
#define MSAB_DEMO_DEMO_FILES_H_

#include <string_view>
#include <vector>

namespace msab {

// A file of the demo page, as it lies in server/demo/page, embedded into the binary by the build.
struct DemoFile {
  std::string_view name;          // "main.js"
  std::string_view content_type;  // by the name's end
  std::string_view text;
};

// All of them. Literals: they live for ever. Any thread.
const std::vector<DemoFile>& DemoFiles();

}  // namespace msab

#endif  // MSAB_DEMO_DEMO_FILES_H_
