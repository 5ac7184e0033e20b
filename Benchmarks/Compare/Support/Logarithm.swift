import Foundation

func logarithm(_ number: Double) -> Double { log(number) }
