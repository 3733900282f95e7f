#ifndef MSAB_INGRESS_GRPC_STATUS_H_
#define MSAB_INGRESS_GRPC_STATUS_H_

#include "google/rpc/status.pb.h"
#include "grpcpp/support/status.h"

namespace msab {

// A refusal as the status of a gRPC call, with its details (`grpc-status-details-bin`). They travel
// in trailers, of which clients take 8 KiB in all and else lose the whole status: where there are
// more violations than fit, the last one says how many were left out.
grpc::Status ToGrpcStatus(const google::rpc::Status& refusal);

}  // namespace msab

#endif  // MSAB_INGRESS_GRPC_STATUS_H_
