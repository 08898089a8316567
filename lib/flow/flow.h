/* flow - what happens to a stream of packets between two sockets: rewriting,
 * repair, reports, feedback, and which of many is heard. Each part is a
 * state machine of its own.
 *
 * Pure: packets and now_ns in, packets, decisions and deadlines out; no
 * descriptor, no clock, no randomness (random starts are parameters), no
 * global. now_ns is any clock that does not go back; arrivals given to one
 * object may be in any order.
 * Memory: structs that are not opaque live in the caller and own nothing.
 * Nothing allocates per packet.
 * Units: *_ns nanoseconds, *_bytes bytes, rtp_ts ticks of the codec's clock.
 */
#ifndef FLOW_H
#define FLOW_H

#include "frames.h"
#include "history.h"
#include "keyreq.h"
#include "loudest.h"
#include "nacker.h"
#include "recvstat.h"
#include "rewrite.h"
#include "sendstat.h"
#include "seqno.h"
#include "srcclock.h"
#include "twccgen.h"

#define FLOW_NEVER UINT64_MAX /* a deadline that does not come */

#endif
