extension FeatureError {
  /// An error of a row of a batch of labels, told of its row in the whole frame, counted from 1.
  ///
  /// - Parameter rowCount: the labels before the batch.
  func ofLabels(after rowCount: Int) -> FeatureError {
    guard let row else { return self }
    let number = row + rowCount + 1
    var error = self
    error.row = row + rowCount
    // Expressions count the rows of what they are given from 0, everything else from 1.
    for (local, global) in [
      (" in row \(row), at", " in label row \(number), at"), (" row \(row + 1) holds ", " row \(number) holds "),
      ("found null in row \(row + 1)", "found null in row \(number)"), ("label row \(row + 1) ", "label row \(number) "),
    ] {
      guard let place = text.range(of: local) else { continue }
      error.text.replaceSubrange(place, with: global)
      break
    }
    return error
  }
}
