import Columns

extension ExpressionEvaluator {
  /// For each row, which vector it takes its value from; -1 is null.
  private typealias Choice = Values<Int32>

  func choice(
    _ operand: ExpressionNode?, _ branches: [ExpressionNode.Branch], _ otherwise: ExpressionNode?, _ type: DataType, _ active: Mask?
  ) throws(EvaluationFailure) -> Vector {
    var subject: Vector?
    if let operand { subject = try evaluate(operand, active) }
    var vectors: [Vector] = []
    var open = everyRow(active)
    var chosen = Choice.filled(count) { $0.initialize(repeating: -1, count: count) }
    for branch in branches {
      let when = try evaluate(branch.when, open)
      let condition = truth(subject.map { compare(.equal, $0, when) } ?? when)
      let taken = mapPairs(open, condition) { $0 & $1 }
      let index = Int32(vectors.count)
      vectors.append(try evaluate(branch.then, taken))
      chosen = mapPairs(chosen, taken) { $1 != 0 ? index : $0 }
      open = mapPairs(open, taken) { $0 & ($1 ^ 1) }
    }
    if let otherwise {
      let index = Int32(vectors.count)
      vectors.append(try evaluate(otherwise, open))
      chosen = mapPairs(chosen, open) { $1 != 0 ? index : $0 }
    }
    return select(chosen, vectors, type)
  }

  func coalesce(_ operands: [ExpressionNode], _ type: DataType, _ active: Mask?) throws(EvaluationFailure) -> Vector {
    var vectors: [Vector] = []
    var open = everyRow(active)
    var chosen = Choice.filled(count) { $0.initialize(repeating: -1, count: count) }
    for operand in operands {
      let value = try evaluate(operand, open)
      let index = Int32(vectors.count)
      vectors.append(value)
      let taken = value.valid.map { mapPairs(open, $0) { $0 & $1 } } ?? open
      chosen = mapPairs(chosen, taken) { $1 != 0 ? index : $0 }
      guard value.valid != nil else { break }
      open = mapPairs(open, taken) { $0 & ($1 ^ 1) }
    }
    return select(chosen, vectors, type)
  }

  func nullIf(_ left: ExpressionNode, _ right: ExpressionNode, _ active: Mask?) throws(EvaluationFailure) -> Vector {
    let a = try evaluate(left, active)
    let b = try evaluate(right, active)
    if a.isNullConstant || b.isNullConstant { return a }
    let kept = mapValues(truth(compare(.equal, a, b))) { $0 ^ 1 }
    guard !a.isConstant || b.isConstant else {
      // The constant becomes a column, since only some of its rows stay.
      let chosen = mapValues(kept) { $0 != 0 ? Int32(0) : -1 }
      return select(chosen, [a], left.type)
    }
    return .computed(a.storage, valid: intersection(a.valid, kept), from: [a, b])
  }

  func extreme(_ operands: [ExpressionNode], greatest: Bool, _ active: Mask?) throws(EvaluationFailure) -> Vector {
    var best = try evaluate(operands[0], active)
    for operand in operands.dropFirst() {
      let next = try evaluate(operand, active)
      if next.isNullConstant { continue }
      if best.isNullConstant {
        best = next
        continue
      }
      let wins = truth(compare(greatest ? .greater : .less, next, best))
      let bestValid = best.valid
      let nextValid = next.valid
      let chosen = Choice.filled(count) { target in
        for row in 0..<count {
          let isBest = bestValid.map { $0[row] != 0 } ?? true
          let isNext = nextValid.map { $0[row] != 0 } ?? true
          let takesNext = isNext && (!isBest || wins[wins.count == 1 ? 0 : row] != 0)
          target[row] = takesNext ? 1 : isBest ? 0 : -1
        }
      }
      best = select(chosen, [best, next], operand.type)
    }
    return best
  }

  private func everyRow(_ active: Mask?) -> Mask {
    let all = Mask.filled(count) { $0.initialize(repeating: 1, count: count) }
    return active.map { mapPairs(all, $0) { $0 & $1 } } ?? all
  }

  /// Each row's value from the vector chosen for it. Rows that are not active get null.
  private func select(_ chosen: Choice, _ vectors: [Vector], _ type: DataType) -> Vector {
    let valid = Mask.filled(count) { target in
      for row in 0..<count {
        let index = Int(chosen[row])
        target[row] = index >= 0 && vectors[index].isValid(row) ? 1 : 0
      }
    }
    func gather<T: BitwiseCopyable>(_ sources: [Values<T>], _ zero: T) -> Values<T> {
      Values<T>.filled(count) { target in
        for row in 0..<count {
          let index = Int(chosen[row])
          if index < 0 {
            target[row] = zero
          } else {
            let source = sources[index]
            target[row] = source[source.count == 1 ? 0 : row]
          }
        }
      }
    }
    let storage: Vector.Storage
    switch type.domain {
    case .int, .opaque: storage = .int(gather(vectors.map(\.ints), 0))
    case .double: storage = .double(gather(vectors.map(\.doubles), 0))
    case .decimal: storage = .decimal(gather(vectors.map(\.decimals.values), 0), scale: type.decimalScale)
    case .bool: storage = .bool(gather(vectors.map(\.bools), 0))
    case .string:
      let sources = vectors.map(\.strings)
      storage = .string(
        makeStrings(count) { row, target in
          guard valid[row] != 0 else { return }
          let source = sources[Int(chosen[row])]
          target.append(bytes: source[source.count == 1 ? 0 : row])
        })
    }
    return Vector(storage: storage, valid: valid)
  }
}
