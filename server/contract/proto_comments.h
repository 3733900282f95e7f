#ifndef MSAB_CONTRACT_PROTO_COMMENTS_H_
#define MSAB_CONTRACT_PROTO_COMMENTS_H_

#include <memory>
#include <string>

namespace google::protobuf {
class Descriptor;
class DescriptorPool;
class EnumValueDescriptor;
class FieldDescriptor;
}  // namespace google::protobuf

namespace msab {

// The comments of the .proto files. Generated code drops them, so the build embeds the descriptors
// once more with them. One thread at a time.
class ProtoComments {
 public:
  ProtoComments();
  ~ProtoComments();

  // The comment above the declaration: paragraphs apart by an empty line, each on one line. Empty
  // if there is none.
  std::string Of(const google::protobuf::Descriptor& message) const;
  std::string Of(const google::protobuf::FieldDescriptor& field) const;
  std::string Of(const google::protobuf::EnumValueDescriptor& value) const;

 private:
  std::unique_ptr<google::protobuf::DescriptorPool> pool_;
};

}  // namespace msab

#endif  // MSAB_CONTRACT_PROTO_COMMENTS_H_
