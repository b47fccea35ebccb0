import Basics
import FuzzBodies

/// What libFuzzer calls with every input it makes up.
@c(LLVMFuzzerTestOneInput)
func fuzzOneInput(_ base: UnsafePointer<UInt8>?, _ count: Int) -> Int32 {
    FuzzBodies.decodeEvents(ByteView(UnsafeRawBufferPointer(start: base, count: count)))
    return 0
}
