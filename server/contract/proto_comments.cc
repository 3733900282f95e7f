#include "server/contract/proto_comments.h"

#include "absl/strings/ascii.h"
#include "absl/strings/str_split.h"
#include "google/protobuf/descriptor.h"
#include "google/protobuf/descriptor.pb.h"
#include "msab/v1/descriptor_set.h"

namespace msab {
namespace {

template <typename D>
std::string CommentOf(const D* declaration) {
  google::protobuf::SourceLocation location;
  if (declaration == nullptr || !declaration->GetSourceLocation(&location)) return {};
  std::string text;
  for (absl::string_view line : absl::StrSplit(location.leading_comments, '\n')) {
    line = absl::StripAsciiWhitespace(line);
    const bool inside = !text.empty() && text.back() != '\n';
    if (line.empty()) {
      if (inside) text.append("\n\n");
    } else {
      if (inside) text.push_back(' ');
      text.append(line.data(), line.size());
    }
  }
  absl::StripTrailingAsciiWhitespace(&text);
  return text;
}

}  // namespace

ProtoComments::ProtoComments() : pool_(std::make_unique<google::protobuf::DescriptorPool>()) {
  google::protobuf::FileDescriptorSet files;
  files.ParseFromArray(kDescriptorSet, sizeof(kDescriptorSet));
  for (const google::protobuf::FileDescriptorProto& file : files.file()) pool_->BuildFile(file);
}

ProtoComments::~ProtoComments() = default;

std::string ProtoComments::Of(const google::protobuf::Descriptor& message) const {
  return CommentOf(pool_->FindMessageTypeByName(message.full_name()));
}

std::string ProtoComments::Of(const google::protobuf::FieldDescriptor& field) const {
  return CommentOf(pool_->FindFieldByName(field.full_name()));
}

std::string ProtoComments::Of(const google::protobuf::EnumValueDescriptor& value) const {
  return CommentOf(pool_->FindEnumValueByName(value.full_name()));
}

}  // namespace msab
