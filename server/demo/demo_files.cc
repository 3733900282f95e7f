#include "server/demo/demo_files.h"

#include "demo_files_embedded.h"

namespace msab {
namespace {

std::string_view TypeOf(std::string_view name) {
  if (name.ends_with(".html")) return "text/html; charset=utf-8";
  if (name.ends_with(".css")) return "text/css; charset=utf-8";
  if (name.ends_with(".js")) return "text/javascript; charset=utf-8";
  if (name.ends_with(".svg")) return "image/svg+xml";
  return "application/octet-stream";
}

}  // namespace

const std::vector<DemoFile>& DemoFiles() {
  static const auto* const kFiles = [] {
    auto* files = new std::vector<DemoFile>;
    for (const EmbeddedFile& file : kDemoFiles) {
      files->push_back(
          {file.name, TypeOf(file.name), {reinterpret_cast<const char*>(file.bytes), file.size}});
    }
    return files;
  }();
  return *kFiles;
}

}  // namespace msab
