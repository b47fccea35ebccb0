import Basics
import Testing

@Suite("Views of bytes")
struct ByteViewTests {
    @Test("bytes are the same only where none differs, whatever their number and place")
    func equality() {
        for count in 0...40 {
            for start in 0..<9 {
                let bytes = (0..<start + count).map { UInt8(truncatingIfNeeded: $0 &* 37 &+ 11) }
                // What lies before and behind differs, and does not matter.
                let one = bytes + Array(repeating: 0x00, count: 32)
                let other =
                    Array(repeating: 0xee, count: 3) + bytes[start...]
                    + Array(repeating: 0xff, count: 32)
                check(one, start, other, 3, count, isSame: true)
                for place in 0..<count {
                    var changed = other
                    changed[3 + place] ^= 1 << UInt8(place % 8)
                    check(one, start, changed, 3, count, isSame: false)
                }
            }
        }
    }

    private func check(
        _ left: [UInt8],
        _ leftStart: Int,
        _ right: [UInt8],
        _ rightStart: Int,
        _ count: Int,
        isSame: Bool
    ) {
        left.withUnsafeBytes { left in
            right.withUnsafeBytes { right in
                let left = ByteView(.init(rebasing: left[leftStart..<leftStart + count]))
                let right = ByteView(.init(rebasing: right[rightStart..<rightStart + count]))
                #expect(left.equals(right) == isSame, "\(count) bytes from \(leftStart)")
                #expect(right.equals(left) == isSame, "\(count) bytes from \(leftStart)")
            }
        }
    }

    @Test("a view that is longer or shorter is another, though it begins the same")
    func lengths() {
        "cohort".withByteView { whole in
            let part = ByteView(base: whole.base, count: 5)
            #expect(!whole.equals(part))
            #expect(!part.equals(whole))
            #expect(!whole.equals("cohorts" as StaticString))
            #expect(whole.equals("cohort" as StaticString))
        }
    }
}
