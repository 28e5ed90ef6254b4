import Columns

/// Delta-packed lengths, each checked to be one.
struct DeltaLengths {
  let buffer: Buffer
  let count: Int
  let total: Int
  var base: UnsafePointer<UInt32> { UnsafePointer(buffer.pointer.assumingMemoryBound(to: UInt32.self)) }

  /// - Precondition: the range exists.
  func total(from first: Int, count: Int) -> Int {
    var total = 0
    for index in first..<(first + count) { total &+= Int(base[index]) }
    return total
  }

  static func decode(_ bytes: UnsafeRawBufferPointer, count: Int) throws(ParquetError) -> (DeltaLengths, Int) {
    let buffer = Buffer(byteCapacity: count * 4)
    let target = buffer.pointer.assumingMemoryBound(to: UInt32.self)
    let position = try DeltaDecoding.decode(bytes, count: count, into: target)
    var total = 0
    var seen: UInt32 = 0
    for index in 0..<count {
      total &+= Int(target[index])
      seen |= target[index]
    }
    guard seen <= UInt32(Int32.max) else { throw .malformed("a value has a negative length") }
    return (DeltaLengths(buffer: buffer, count: count, total: total), position)
  }
}
